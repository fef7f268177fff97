"""Files as tables: text, Parquet, arrays; what is noticed on the way, and what is refused."""
