"""Who the reader is and what they may do; asked again before every change, on the server."""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import streamlit as st

from dashboard import data
from dashboard.words import tr
from raccroche.config import DashboardConfig
from raccroche.errors import RaccrocheError


class Role(IntEnum):
    """Each role may do what those below it may."""

    NONE = 0
    READER = 1
    ANNOTATOR = 2
    ADMIN = 3


class Refused(RaccrocheError):
    """The reader's role does not allow this."""


@dataclass(frozen=True, slots=True)
class Person:
    """*name* is None for the one user of a dashboard without login, who names themselves."""

    role: Role
    name: str | None = None


LOCAL = Person(Role.ADMIN)
STRANGER = Person(Role.NONE)
_NAME = re.compile(r"[^\w.+-]+")
ADJUDICATOR = "adjudicated"  # the labeller name that the store keeps for decisions
MAX_NAME = 40


def person(config: DashboardConfig, claims: Any) -> Person:
    """
    Who the claims of an identity provider speak of.

    Lists hold addresses, or `@domain` for everybody of it. An address that the provider says is
    not verified opens nothing.
    """
    address = str(claims.get("email") or "").strip().casefold()
    if "@" not in address or claims.get("email_verified") is False:
        return STRANGER
    lists = ((Role.ADMIN, config.admins), (Role.ANNOTATOR, config.annotators))
    for role, addresses in (*lists, (Role.READER, config.readers)):
        if _listed(address, addresses):
            return Person(role, _label_name(address, config))
    return STRANGER


def _listed(address: str, addresses: tuple[str, ...]) -> bool:
    domain = address[address.rindex("@") :]
    return any(one.strip().casefold() in (address, domain) for one in addresses)


def _label_name(address: str, config: DashboardConfig) -> str:
    """The part before the @, unless two people of the lists share it: then the whole address."""
    local = address[: address.rindex("@")]
    listed = {one.strip().casefold() for one in (*config.annotators, *config.admins)}
    domains = any(one.startswith("@") for one in listed)
    alike = {one for one in listed | {address} if one.startswith(f"{local}@")}
    return clean_name(address.replace("@", ".at.") if domains or len(alike) > 1 else local)


def clean_name(written: str) -> str:
    """A name as labels carry it: letters, digits and `.+-_`; empty when nothing is left of it."""
    name = _NAME.sub("-", written.strip().casefold()).strip("-")[:MAX_NAME]
    return "" if name == ADJUDICATOR else name


def me() -> Person:
    """The reader of this session; without login, the one at this machine may do everything."""
    config = data.settings().dashboard
    if not config.login:
        return LOCAL
    return person(config, st.user) if st.user.get("is_logged_in") else STRANGER


def may(role: Role) -> bool:
    return me().role >= role


def require(role: Role) -> Person:
    """The reader, if they may; raises Refused. Every write goes through here."""
    found = me()
    if found.role < role:
        raise Refused(
            tr(
                "Votre rôle ne permet pas cette action.",
                "Your role does not allow this.",
            )
        )
    return found


def admitted() -> bool:
    """Whether the page may be shown; otherwise the way in is shown."""
    config = data.settings().dashboard
    if not config.login or me().role >= Role.READER:
        return True
    _way_in()
    return False


def _way_in() -> None:
    st.title("Raccroche", anchor=False)
    if not st.user.get("is_logged_in"):
        st.markdown(
            tr(
                "Cet observatoire est réservé aux personnes autorisées.",
                "This observatory is for authorised people.",
            )
        )
        st.button(tr("Se connecter", "Log in"), key="log-in", type="primary", on_click=_log_in)
        if st.session_state.pop("no_provider", False):
            st.error(
                tr(
                    "La connexion n’est pas configurée : il manque [auth] dans secrets.toml.",
                    "Login is not configured: [auth] is missing in secrets.toml.",
                )
            )
        return
    st.warning(
        tr(
            "Vous êtes connecté, mais votre adresse ne figure dans aucune liste. "
            "Demandez un accès à l’administrateur.",
            "You are logged in, but your address is in no list. Ask the administrator for access.",
        )
    )
    log_out_button()


def _log_in() -> None:
    try:
        st.login()
    except (st.errors.StreamlitAuthError, st.errors.StreamlitMissingAuthlibError):
        st.session_state["no_provider"] = True


def log_out_button() -> None:
    """For the foot of the sidebar; nothing where there is no login."""
    if data.settings().dashboard.login and st.user.get("is_logged_in"):
        st.button(tr("Se déconnecter", "Log out"), key="log-out", on_click=st.logout)
