"""From a panel, or what a run left, to an answer. Arrays alone."""
