"""From rows to a panel of the engine. Arrays alone."""
