"""The polite client: who may be asked, how often, how much, and what came back."""

from raccroche.http.client import Archive, Budget, Client, Session

__all__ = ["Archive", "Budget", "Client", "Session"]
