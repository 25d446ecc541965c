"""The desired state of the deployment, and the reports of the processes that follow it."""
