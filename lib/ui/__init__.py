"""The screen: the only package of lib that imports streamlit."""
