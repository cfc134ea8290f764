"""What people look at while it runs. Observers only: nothing here decides or can stop a decision."""
