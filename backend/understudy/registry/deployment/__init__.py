"""The desired state: which model should be live, and how far each process is."""
