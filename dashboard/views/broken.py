"""What a page says when the data cannot be read: what is the matter, and what to do about it."""

import re
from dataclasses import dataclass

import streamlit as st

from dashboard.views import parts
from dashboard.words import tr
from raccroche.errors import ConfigError, RaccrocheError


@dataclass(frozen=True, slots=True)
class Trouble:
    """*title* and *what* in the reader's words; *do*: advice, and commands to copy."""

    title: str
    what: str
    advice: str
    commands: str = ""
    passes: bool = False  # waiting may be enough


def show(error: RaccrocheError) -> None:
    """An error a person can act on, in words; never a traceback."""
    found = trouble(error)
    parts.heading(found.title)
    st.markdown(found.what)
    st.markdown(found.advice)
    if found.commands:
        st.code(found.commands, "bash", wrap_lines=True)
    if found.passes:
        st.button(tr("Réessayer", "Try again"), type="primary", key="try-again")
    st.caption(tr("Message du programme, en anglais :", "What the program says:"))
    st.code(str(error), None, wrap_lines=True)


def trouble(error: RaccrocheError) -> Trouble:
    """What is known of *error*; the store says which by its sentences."""
    said = str(error)
    if isinstance(error, ConfigError):
        return Trouble(
            tr("La configuration contient une erreur", "The configuration has an error"),
            tr("Le tableau de bord lit `config.toml` avant tout.", "`config.toml` is read first."),
            tr("Corrigez-la, puis rechargez la page.", "Correct it, then reload the page."),
        )
    if "is locked" in said:
        return _locked()
    schemas = re.search(r"has schema (\d+), this release knows up to (\d+)", said)
    if schemas:
        return _newer(*schemas.groups())
    if "has the older schema" in said:
        return _older()
    if "is damaged:" in said:
        return _damaged()
    if "PostgreSQL server" in said and "does not answer" in said:
        return _no_server()
    return Trouble(
        tr("Les données ne sont pas lisibles", "The data cannot be read"),
        tr(
            "Ce que `[store] url` nomme dans `config.toml` n’est pas une base que Raccroche puisse "
            "lire. Rien n’a été modifié.",
            "What `[store] url` names in `config.toml` is no database that Raccroche can read. "
            "Nothing was changed.",
        ),
        tr("Vérifiez cette ligne, puis demandez un examen :", "Check that line, then have a look:"),
        "raccroche doctor",
    )


def _locked() -> Trouble:
    return Trouble(
        tr("La base est occupée", "The database is busy"),
        tr(
            "Un autre programme la garde pour lui seul : une restauration, une copie de fichiers, "
            "un éditeur de bases. Une collecte, elle, n’empêche pas de lire. **Rien n’est perdu.**",
            "Another program keeps it to itself: a restore, a copy of files, an editor of "
            "databases. A collection does not keep anyone from reading. **Nothing is lost.**",
        ),
        tr(
            "Patientez un instant, puis réessayez. Si cela dure, fermez l’autre programme.",
            "Wait a moment, then try again. If it lasts, close the other program.",
        ),
        passes=True,
    )


def _newer(theirs: str, ours: str) -> Trouble:
    return Trouble(
        tr("La base est plus récente que ce tableau de bord", "The database is newer than this"),
        tr(
            f"Une version plus récente de Raccroche l’a écrite : format {theirs}, alors que "
            f"celle-ci lit jusqu’au format {ours}. **Rien n’a été modifié.**",
            f"A newer release of Raccroche wrote it: format {theirs}, while this one reads up to "
            f"format {ours}. **Nothing was changed.**",
        ),
        tr(
            "Mettez à jour Raccroche sur cette machine, puis relancez le tableau de bord :",
            "Upgrade Raccroche on this machine, then start the dashboard again:",
        ),
        "git pull && make setup\nraccroche dashboard",
    )


def _older() -> Trouble:
    return Trouble(
        tr("La base attend une mise à jour", "The database waits to be brought up to date"),
        tr(
            "Une version plus ancienne de Raccroche l’a écrite, et le tableau de bord ne peut que "
            "la lire. **Rien n’est perdu.**",
            "An older release of Raccroche wrote it, and the dashboard may only read it. "
            "**Nothing is lost.**",
        ),
        tr(
            "La première commande qui écrit la met à jour ; "
            "en quelques minutes pour des millions de publications :",
            "The first command that writes brings it up to date; minutes for millions of posts:",
        ),
        "raccroche label",
    )


def _damaged() -> Trouble:
    return Trouble(
        tr("La base est endommagée", "The database is damaged"),
        tr(
            "Le fichier ne se lit plus en entier : disque, coupure, ou copie faite pendant une "
            "écriture.",
            "The file cannot be read as a whole: disk, power cut, or a copy made during a write.",
        ),
        tr("Faites-la examiner, ou reprenez une sauvegarde :", "Have a look, or take a backup:"),
        "raccroche doctor\nraccroche restore copie.sqlite3",
    )


def _no_server() -> Trouble:
    return Trouble(
        tr("Le serveur de la base ne répond pas", "The database’s server does not answer"),
        tr(
            "Le serveur PostgreSQL nommé dans `config.toml` est arrêté, injoignable d’ici, ou "
            "refuse l’accès : compte, mot de passe, nom de la base.",
            "The PostgreSQL server named in `config.toml` is stopped, out of reach, or refuses us: "
            "account, password, name of the database.",
        ),
        tr(
            "Le message dit lequel. Démarrez-le, ou corrigez `[store] url`, puis réessayez.",
            "The message says which. Start it, or correct `[store] url`, then try again.",
        ),
        passes=True,
    )
