"""Words everything else uses: errors, seeds, budget, records, the run folder. Knows no deep learning."""
