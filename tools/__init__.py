"""Commands that make files of this repository; none belongs to the product."""
