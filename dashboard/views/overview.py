"""What changed in the period: the first page of the morning."""

import streamlit as st

from dashboard import data
from dashboard.views import parts
from dashboard.words import tr


def page() -> None:
    chosen = parts.begin(tr("Vue d’ensemble", "Overview"))
    st.dataframe(data.daily_counts(chosen.filters()))
