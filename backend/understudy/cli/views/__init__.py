"""What the commands show to people; every function takes an answer and returns something that rich can print."""
