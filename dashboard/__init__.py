"""What an analyst opens every morning: Streamlit pages over the store."""
