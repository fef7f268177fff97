"""Series: arrays of numbers step by step, in files and in memory."""
