"""Series: a CSV column -> windows -> forecasts -> scores."""
