"""Two versions of the product beside each other: the previous one, from the history, and this tree."""
