"""From files to typed columns and clean splits: reading, inferring, profiling, splitting, encoding."""
