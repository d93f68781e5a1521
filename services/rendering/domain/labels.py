"""The words a handout adds of its own, in the guide's language where it is one of four, else in English."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Labels:
    """Headings, notices and sentences; braces name what is filled in. The defaults are the English ones."""

    handout: str = "Handout"
    summary: str = "Summary"
    contents: str = "Contents"
    slides: str = "Slides"
    glossary: str = "Glossary"
    questions: str = "Questions"
    answers: str = "Answers"
    transcript: str = "Transcript"
    passages: str = "Passages this handout cites"
    slide: str = "Slide {number}"
    figure: str = "Figure"
    table: str = "Table"
    listing: str = "Listing"
    page: str = "page {page}"
    pages: str = "pages {first}–{last}"
    page_short: str = "p. {page}"
    one_slide: str = "1 slide"
    slide_count: str = "{count} slides"
    one_page: str = "1 page"
    page_count: str = "{count} pages"
    long: str = "{duration} long"
    date: str = "{day} {month} {year}"
    untitled: str = "Untitled"
    untitled_section: str = "Untitled section"
    figure_alt: str = "Figure on page {page}, without a caption"
    table_in: str = "Table in {title}"
    unreadable_picture: str = "This picture could not be read."
    rows_left_out: str = "{count} more rows are in document.json."
    no_speech_found: str = "No speech was found in this recording."
    no_speech: str = "No speech was found."
    no_key_points: str = "No key points were found in this source."
    long_transcript: str = (
        "The recording is long: printed here is what this handout cites. The whole transcript is in handout.html "
        "and transcript.json."
    )
    missing_characters: str = (
        "Some characters of the source are in no font of this system and appear as boxes or not at all."
    )
    offline: str = (
        "Made without a language model: title, key points and definitions are the source's own words, chosen by "
        "rules, and may miss what matters."
    )
    language_model: str = (
        "Made with a language model ({name}). Check what matters against the source at the place given."
    )
    read_speech: str = "Speech recognised by {name}"
    read_slides: str = "slides found by {name}"
    read_layout: str = "pages read by {name}"
    read_ocr: str = "text in pictures read by {name}"
    answer: str = "Answer"
    back: str = "Back"
    to_question: str = "to question {number}"
    at: str = "at"
    skip: str = "Skip to the handout"
    months: tuple[str, ...] = (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    )

    def long_date(self, day: dt.date) -> str:
        """A date that reads the same on both sides of the Atlantic: 3 November 2026."""
        return self.date.format(day=day.day, month=self.months[day.month - 1], year=day.year)


_GERMAN = Labels(
    handout="Handout",
    summary="Zusammenfassung",
    contents="Inhalt",
    slides="Folien",
    glossary="Glossar",
    questions="Fragen",
    answers="Antworten",
    transcript="Transkript",
    passages="Zitierte Stellen",
    slide="Folie {number}",
    figure="Abbildung",
    table="Tabelle",
    listing="Listing",
    page="Seite {page}",
    pages="Seiten {first}–{last}",
    page_short="S. {page}",
    one_slide="1 Folie",
    slide_count="{count} Folien",
    one_page="1 Seite",
    page_count="{count} Seiten",
    long="Dauer {duration}",
    date="{day}. {month} {year}",
    untitled="Ohne Titel",
    untitled_section="Abschnitt ohne Titel",
    figure_alt="Abbildung auf Seite {page}, ohne Bildunterschrift",
    table_in="Tabelle in {title}",
    unreadable_picture="Dieses Bild konnte nicht gelesen werden.",
    rows_left_out="{count} weitere Zeilen stehen in document.json.",
    no_speech_found="In dieser Aufnahme wurde keine Sprache gefunden.",
    no_speech="Es wurde keine Sprache gefunden.",
    no_key_points="In dieser Quelle wurden keine Kernaussagen gefunden.",
    long_transcript=(
        "Die Aufnahme ist lang: Abgedruckt ist, was dieses Handout zitiert. Das ganze Transkript steht in handout.html "
        "und transcript.json."
    ),
    missing_characters="Einige Zeichen der Quelle fehlen in allen Schriften dieses Systems.",
    offline=(
        "Ohne Sprachmodell erstellt: Titel, Kernaussagen und Definitionen sind Worte der Quelle, nach Regeln "
        "ausgewählt; Wichtiges kann fehlen."
    ),
    language_model=(
        "Mit einem Sprachmodell erstellt ({name}). Bitte Wichtiges an der angegebenen Stelle der Quelle nachprüfen."
    ),
    read_speech="Sprache erkannt von {name}",
    read_slides="Folien gefunden von {name}",
    read_layout="Seiten gelesen von {name}",
    read_ocr="Text in Bildern gelesen von {name}",
    answer="Antwort",
    back="Zurück",
    to_question="zu Frage {number}",
    at="bei",
    skip="Zum Handout springen",
    months=(
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
)
_FRENCH = Labels(
    handout="Polycopié",
    summary="Résumé",
    contents="Sommaire",
    slides="Diapositives",
    glossary="Glossaire",
    questions="Questions",
    answers="Réponses",
    transcript="Transcription",
    passages="Passages cités",
    slide="Diapositive {number}",
    figure="Figure",
    table="Tableau",
    listing="Code",
    page="page {page}",
    pages="pages {first}–{last}",
    page_short="p. {page}",
    one_slide="1 diapositive",
    slide_count="{count} diapositives",
    one_page="1 page",
    page_count="{count} pages",
    long="durée {duration}",
    untitled="Sans titre",
    untitled_section="Partie sans titre",
    figure_alt="Figure de la page {page}, sans légende",
    table_in="Tableau dans {title}",
    unreadable_picture="Cette image n'a pas pu être lue.",
    rows_left_out="{count} autres lignes se trouvent dans document.json.",
    no_speech_found="Aucune parole n'a été trouvée dans cet enregistrement.",
    no_speech="Aucune parole n'a été trouvée.",
    no_key_points="Aucun point clé n'a été trouvé dans cette source.",
    long_transcript=(
        "L'enregistrement est long : seuls les passages cités sont imprimés ici. La transcription complète se trouve "
        "dans handout.html et transcript.json."
    ),
    missing_characters="Certains caractères de la source ne figurent dans aucune police de ce système.",
    offline=(
        "Réalisé sans modèle de langage : titre, points clés et définitions sont les mots de la source, choisis par "
        "des règles ; l'essentiel peut manquer."
    ),
    language_model=(
        "Réalisé avec un modèle de langage ({name}). Vérifiez l'essentiel dans la source à l'endroit indiqué."
    ),
    read_speech="Parole reconnue par {name}",
    read_slides="diapositives trouvées par {name}",
    read_layout="pages lues par {name}",
    read_ocr="texte des images lu par {name}",
    answer="Réponse",
    back="Retour",
    to_question="à la question {number}",
    at="à",
    skip="Aller au polycopié",
    months=(
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
)
_SPANISH = Labels(
    handout="Apuntes",
    summary="Resumen",
    contents="Contenido",
    slides="Diapositivas",
    glossary="Glosario",
    questions="Preguntas",
    answers="Respuestas",
    transcript="Transcripción",
    passages="Pasajes citados",
    slide="Diapositiva {number}",
    figure="Figura",
    table="Tabla",
    listing="Código",
    page="página {page}",
    pages="páginas {first}–{last}",
    page_short="p. {page}",
    one_slide="1 diapositiva",
    slide_count="{count} diapositivas",
    one_page="1 página",
    page_count="{count} páginas",
    long="duración {duration}",
    date="{day} de {month} de {year}",
    untitled="Sin título",
    untitled_section="Sección sin título",
    figure_alt="Figura de la página {page}, sin pie",
    table_in="Tabla en {title}",
    unreadable_picture="No se pudo leer esta imagen.",
    rows_left_out="Hay {count} filas más en document.json.",
    no_speech_found="No se encontró habla en esta grabación.",
    no_speech="No se encontró habla.",
    no_key_points="No se encontraron puntos clave en esta fuente.",
    long_transcript=(
        "La grabación es larga: aquí se imprime lo que estos apuntes citan. La transcripción completa está en "
        "handout.html y transcript.json."
    ),
    missing_characters="Algunos caracteres de la fuente no están en ningún tipo de letra de este sistema.",
    offline=(
        "Hecho sin modelo de lenguaje: título, puntos clave y definiciones son palabras de la fuente, elegidas por "
        "reglas; puede faltar algo importante."
    ),
    language_model=(
        "Hecho con un modelo de lenguaje ({name}). Compruebe lo importante en la fuente, en el lugar indicado."
    ),
    read_speech="Voz reconocida por {name}",
    read_slides="diapositivas halladas por {name}",
    read_layout="páginas leídas por {name}",
    read_ocr="texto de las imágenes leído por {name}",
    answer="Respuesta",
    back="Volver",
    to_question="a la pregunta {number}",
    at="en",
    skip="Ir a los apuntes",
    months=(
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
)
ENGLISH = Labels()
LABELS = {"en": ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH}


def labels_for(language: str) -> Labels:
    """The labels of a primary language subtag, English for languages that have none yet."""
    return LABELS.get(language, ENGLISH)
