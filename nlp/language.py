"""The language of a post, with a probability; plain French is recognised by its small words."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from nlp.text import word_set

LANGUAGES = ("fr", "en", "es", "de", "it", "pt", "nl", "ar")
"""The languages told apart: those met on French platforms. Others come out as their nearest."""

_FRENCH = word_set(
    """je j' c' qu' n' est pas vous nous pour avec mais une des du au aux dans sur ils elle ça ca
    suis ai et les mon ma mes votre vos leur leurs ce cette ces qui être etre été ete ont sont avez
    très tres chez même meme aussi depuis toujours jamais rien bonjour merci svp quand comment
    pourquoi m' l' d' s' t' jour jours appel appels appelle téléphone"""
)
_FOREIGN = word_set(
    """the and is are you your to of in it for with this that my have not was they we do el los
    las y con por para una no es muy pero il di che non per sono der die das und ist nicht het een
    van niet o os e em um uma não"""
)
_ENOUGH = 2
_SHARE = 0.12
_SURE = 0.99
_READ = 400


@dataclass(frozen=True, slots=True)
class Language:
    """An ISO code and how sure it is; both None for a text without a single word."""

    code: str | None
    probability: float | None


NO_LANGUAGE = Language(None, None)


def detect(text: str, forms: Sequence[str]) -> Language:
    """`forms` are the words of `text` in lower case, elisions with their apostrophe ("j'")."""
    distinct = set(forms)
    french = len(distinct & _FRENCH)
    if (
        french >= _ENOUGH
        and french >= _SHARE * len(distinct)
        and french > 2 * len(distinct & _FOREIGN)
    ):
        return Language("fr", _SURE)
    letters = [form for form in forms if form[0].isalpha()]
    if not letters:
        if not any(char.isalpha() for char in text):
            return NO_LANGUAGE
        letters = [form.lstrip("@#") for form in forms if form.lstrip("@#")]
    return _by_model(" ".join(letters))


def _by_model(text: str) -> Language:
    """The model's view, with French as likely beforehand as all the others together."""
    ranked = dict(_identifier().rank(text[:_READ]))
    weights = {code: p * _prior(code) for code, p in ranked.items()}
    code = max(weights, key=weights.__getitem__)
    return Language(str(code), float(weights[code] / sum(weights.values())))


def _prior(code: str) -> float:
    return 0.5 if code == "fr" else 0.5 / (len(LANGUAGES) - 1)


@cache
def _identifier() -> Any:
    """Loaded at the first post that needs it: most are plainly French, and it takes a while."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
