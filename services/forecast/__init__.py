"""What will sell: sales history in, quantile forecasts of each SKU in each store out."""
