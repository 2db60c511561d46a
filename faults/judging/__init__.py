"""What a scenario came to, and whether the promises were kept."""
