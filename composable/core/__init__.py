"""What all other layers use: errors, seeds, budget, records, the run folder; nothing about deep learning."""
