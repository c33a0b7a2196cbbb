"""Whether a sentence rests on passages: plain features, a small calibrated model, reasons."""
