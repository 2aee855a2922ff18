"""The transfer store: Parquet on disk, columns in time order in memory."""
