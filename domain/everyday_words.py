"""Words that many put into a password, in languages whose dictionaries the estimator has not: seasons, months, days of
the week, and what a password, a welcome and a hello are called.
"""

from __future__ import annotations

from functools import cache

from .plain_letters import plain

_WORDS = """
frühling sommer herbst winter januar februar märz maerz april mai juni juli august september oktober november dezember
montag dienstag mittwoch donnerstag freitag samstag sonntag passwort kennwort willkommen hallo servus
printemps été automne hiver janvier février mars avril juin juillet août septembre octobre novembre décembre
lundi mardi mercredi jeudi vendredi samedi dimanche motdepasse bienvenue bonjour salut
primavera verano otoño invierno enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
lunes martes miércoles jueves viernes sábado domingo contraseña clave bienvenido bienvenida hola
estate autunno inverno gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre
lunedì martedì mercoledì giovedì venerdì sabato domenica benvenuto benvenuta ciao buongiorno
lente voorjaar zomer herfst januari februari maart mei augustus
maandag dinsdag woensdag donderdag vrijdag zaterdag zondag wachtwoord welkom hoi goedendag
verão outono janeiro fevereiro março maio junho julho setembro outubro novembro dezembro
segunda terça quarta quinta sexta senha bemvindo olá
wiosna lato jesień zima styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień
poniedziałek wtorek środa czwartek piątek sobota niedziela hasło witaj witam cześć
vår sommar höst mars juni juli augusti oktober måndag tisdag onsdag torsdag fredag lördag söndag lösenord välkommen hej
весна лето осень зима январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь
понедельник вторник среда четверг пятница суббота воскресенье пароль привет любовь
літо осінь січень лютий березень квітень травень червень липень серпень вересень жовтень листопад грудень вітаю
"""
GUESSES = 300
"""How many it takes to find one: there are about as many."""
_ON_RUSSIAN_KEYS, _ON_LATIN_KEYS = "йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,."
_BY_KEY = str.maketrans(_ON_RUSSIAN_KEYS, _ON_LATIN_KEYS)


@cache
def everyday_words() -> frozenset[str]:
    """In plain letters; those in Cyrillic ones also as their keys write them on a Latin keyboard."""
    words = _WORDS.split()
    return frozenset(plain(word) for word in words) | {on_latin_keys(word) for word in words}


def on_latin_keys(text: str) -> str:
    """What the keys of a Russian keyboard write on an English one: пароль is gfhjkm. Other signs stay."""
    return text.lower().translate(_BY_KEY)
