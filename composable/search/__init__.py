"""Many candidates, one winner: what to try, in which order, and the leaderboard."""
