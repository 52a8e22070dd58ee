"""What Ringbook knows about calls: plain modules, and one door for each outside system."""
