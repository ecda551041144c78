"""The embedded service: its own process, its own database, training and answering."""
