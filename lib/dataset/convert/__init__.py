"""What other tools and tables call an example, and how it becomes one of the services' format."""
