"""Where alarms go. Outputs are driven before anything is written or drawn, and none can stop another."""
