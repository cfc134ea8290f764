"""What a run decided, made again out of its recording: states, steps, replay. What is recorded says links/recording."""
