"""What the processes under test write down, and the gates at which they stop."""
