"""What went wrong, and why calls ended, in German, by the codes that the services have for it."""

from collections.abc import Mapping

from services.domain.call import NEVER_FOUND
from services.vapi.ended_reasons import Family

TITLES: Mapping[str, str] = {
    "Something went wrong": "Etwas ist schiefgegangen",
    "No recording": "Keine Aufnahme",
    "The recording is still being written": "Die Aufnahme wird noch geschrieben",
    "The call can't be recorded": "Das Gespräch lässt sich nicht aufnehmen",
    "The request can't be used as it is": "So geht es nicht",
    "This number can't be called": "Diese Nummer lässt sich nicht anrufen",
    "This idempotency key belongs to another request": "Dieser Wiederholungsschlüssel gehört zu einer anderen Anfrage",
    "Who are you?": "Wer sind Sie?",
    "This is not allowed": "Das ist nicht erlaubt",
    "This number was called a moment ago": "Diese Nummer wurde gerade eben angerufen",
    "This request is still being answered": "Diese Anfrage wird noch beantwortet",
    "No more calls for now": "Vorerst keine Anrufe mehr",
    "Dialling is switched off": "Das Wählen ist gesperrt",
    "No such call": "Diesen Anruf gibt es nicht",
    "The call is not running": "Das Gespräch läuft nicht",
    "Calls can't be placed yet": "Anrufe sind noch nicht möglich",
    "The call may still be running": "Das Gespräch läuft vielleicht noch",
    "Vapi does not accept the key": "Vapi nimmt den Schlüssel nicht an",
    "Vapi refused": "Vapi hat abgelehnt",
    "Vapi can't be reached": "Vapi ist nicht zu erreichen",
    "It is not known whether the call was placed": "Es steht nicht fest, ob der Anruf zustande kam",
    "The journal can't be used": "Das Journal ist nicht benutzbar",
}

FAULTS: Mapping[str, str] = {
    "recording_not_found": "Dieses Gespräch wurde hier nicht aufgenommen, oder die Aufnahme wurde gelöscht.",
    "recording_in_progress": "Versuchen Sie es in einem Augenblick noch einmal.",
    "disk_full": "Die Festplatte ist fast voll. Schaffen Sie Platz, oder verlegen Sie EARSHOT_DATA_DIR.",
    "limit": "EARSHOT_RECORDINGS_MB ist ausgeschöpft. Löschen Sie Aufnahmen, oder erhöhen Sie die Grenze.",
    "disk": "Die Aufnahme kann nicht geschrieben werden. Prüfen Sie, ob EARSHOT_DATA_DIR beschreibbar ist.",
    "elsewhere": "Ein anderes Earshot mit demselben EARSHOT_DATA_DIR nimmt dieses Gespräch bereits auf.",
    "invalid_number": "Schreiben Sie die Nummer mit + und der Ländervorwahl, wie +49 30 901820, "
    "und prüfen Sie, ob eine Ziffer fehlt oder zu viel ist.",
    "short_number": "Kurzwahlen lassen sich von hier nicht anrufen. Nehmen Sie eine ganze Nummer mit + und der Ländervorwahl.",
    "emergency_number": "Notrufnummern lassen sich von hier nicht anrufen. Nehmen Sie im Notfall ein Telefon.",
    "number_has_extension": "Lassen Sie die Durchwahl hinter der Nummer weg: Nur die Nummer selbst lässt sich wählen.",
    "number_has_letters": "Schreiben Sie die Nummer in Ziffern: Buchstaben lassen sich nicht wählen.",
    "several_numbers": "Bitte nur eine Nummer auf einmal.",
    "number_unlikely": "Diese Nummer scheint nicht vergeben zu sein. Prüfen Sie die Ziffern, und bestätigen Sie sie, wenn sie stimmt.",
    "international_service_number": "Diese Nummer gehört zu keinem Land. Earshot ruft solche nicht an, weil sie an Anrufen verdienen.",
    "premium_rate_number": "Das ist eine Mehrwertnummer. Earshot ruft solche nicht an, weil sie je Minute kosten.",
    "shared_cost_number": "Das ist eine Nummer mit geteilten Kosten. Earshot ruft solche nicht an, weil sie an Anrufen verdienen.",
    "pager_number": "Die Nummer gehört zu einem Funkrufempfänger, mit dem sich nicht sprechen lässt.",
    "personal_number": "Das ist eine persönliche Nummer. Earshot ruft solche nicht an, weil sie an Anrufen verdienen.",
    "uan_number": "Das ist eine bundesweite Firmennummer. Earshot ruft solche nicht an, weil sie an Anrufen verdienen.",
    "number_blocked": "Diese Nummer steht auf der Sperrliste.",
    "destination_not_allowed": "Anrufe in dieses Land sind nicht erlaubt. Welche es sind, steht in EARSHOT_ALLOWED_REGIONS.",
    "forbidden_scope": "Dieser Zugang darf das nicht.",
    "duplicate_recent_call": "Diese Nummer wurde gerade eben angerufen.",
    "rate_limited": "In der letzten Stunde wurden so viele Anrufe gewählt, wie erlaubt sind (EARSHOT_CALLS_PER_HOUR).",
    "daily_limit_exceeded": "In den letzten 24 Stunden wurden so viele Anrufe gewählt, wie erlaubt sind (EARSHOT_CALLS_PER_DAY).",
    "concurrency_limit_exceeded": "Es laufen so viele Gespräche, wie zugleich erlaubt sind (EARSHOT_CONCURRENT_CALLS). "
    "Ein Gespräch, dessen Ende nicht feststeht, zählt mit.",
    "stopped": "Das Wählen wurde gesperrt. Heben Sie die Sperre oben auf der Seite auf.",
    "call_not_found": "Vapi kennt diesen Anruf nicht. Er ist vielleicht gelöscht oder gehört zu einem anderen Konto.",
    "call_not_running": "Das geht nur bei einem Gespräch, das begonnen hat und noch läuft.",
    "not_configured": "Anrufe sind erst möglich, wenn die fehlenden Einstellungen da sind.",
    "hang_up_unconfirmed": "Vapi hat nicht bestätigt, dass das Gespräch beendet ist. Earshot versucht es weiter; "
    "das Gespräch läuft vielleicht noch.",
    "vapi_unauthorized": "Vapi nimmt VAPI_API_KEY nicht an. Es muss der private Schlüssel sein, nicht der öffentliche: "
    "Sie finden ihn bei Vapi unter API Keys. Danach starten Sie Earshot neu.",
    "vapi_unavailable": "Vapi ist nicht zu erreichen. Prüfen Sie die Netzverbindung und versuchen Sie es noch einmal.",
    "journal_unavailable": "Das Journal ist nicht benutzbar, und was nicht aufgeschrieben ist, wird nicht gewählt. "
    "Mehr steht im Protokoll.",
    "outcome_unknown": "Die Antwort von Vapi ging verloren; der Anruf kam vielleicht zustande. Wählen Sie noch nicht neu: "
    "Sehen Sie nach, ob er hier oder bei Vapi auftaucht.",
}

ENDED: Mapping[str, tuple[str, str | None]] = {  # a next step of None: what its family advises
    "customer-ended-call": ("Der Kunde hat aufgelegt.", ""),
    "assistant-ended-call": ("Der Assistent hat das Gespräch beendet.", ""),
    "assistant-ended-call-with-hangup-task": ("Der Assistent hat das Gespräch beendet.", ""),
    "assistant-ended-call-after-message-spoken": ("Der Assistent hat sich verabschiedet und aufgelegt.", ""),
    "assistant-said-end-call-phrase": ("Der Assistent hat sich verabschiedet und aufgelegt.", ""),
    "assistant-forwarded-call": ("Der Assistent hat das Gespräch weitergeleitet.", ""),
    "manually-canceled": ("Sie haben das Gespräch beendet.", ""),
    NEVER_FOUND: (
        "Es blieb unklar, ob dieser Anruf zustande kam.",
        "Die Antwort von Vapi ging verloren, und in der Liste tauchte er nie auf; inzwischen wäre er vorbei. Sicherheit gibt ein Blick ins "
        "Dashboard von Vapi.",
    ),
    "exceeded-max-duration": (
        "Das Gespräch hat die längste erlaubte Dauer erreicht.",
        "Erhöhen Sie beim Assistenten die Höchstdauer für längere Gespräche.",
    ),
    "silence-timed-out": ("Niemand sprach, deshalb wurde das Gespräch beendet.", ""),
    "customer-busy": ("Die Leitung war besetzt.", "Versuchen Sie es später noch einmal."),
    "customer-did-not-answer": ("Niemand ging ans Telefon.", "Versuchen Sie es später noch einmal."),
    "voicemail": ("Ein Anrufbeantworter ging an.", "Versuchen Sie es später noch einmal."),
    "twilio-reported-customer-misdialed": ("Die Nummer ist nicht vergeben.", "Prüfen Sie die Nummer."),
    "sip-outbound-unallocated-number": ("Die Nummer ist nicht vergeben.", "Prüfen Sie die Nummer."),
    "twilio-failed-to-connect-call": ("Twilio konnte nicht verbinden.", None),
    "vonage-failed-to-connect-call": ("Vonage konnte nicht verbinden.", None),
    "call.start.error-subscription-concurrency-limit-reached": (
        "Alle Leitungen Ihres Kontos waren belegt.",
        "Warten Sie, bis ein Gespräch endet, oder kaufen Sie bei Vapi weitere Leitungen.",
    ),
    "call.start.error-subscription-insufficient-credits": (
        "Das Guthaben bei Vapi ist aufgebraucht.",
        "Laden Sie es bei Vapi auf.",
    ),
    "call.start.error-vapi-number-international": (
        "Kostenlose Nummern von Vapi können nicht ins Ausland anrufen.",
        "Binden Sie eine eigene Nummer ein, zum Beispiel von Twilio, und rufen Sie von dieser an.",
    ),
    "call.start.error-vapi-number-outbound-daily-limit": (
        "Diese Nummer von Vapi hat für heute alle ihre Anrufe geführt.",
        "Versuchen Sie es morgen noch einmal, oder binden Sie eine eigene Nummer ein.",
    ),
    "call.start.error-get-transport": (
        "Der Anruf ließ sich an keine Telefonleitung übergeben.",
        "Prüfen Sie bei Vapi den Anbieter der Rufnummer.",
    ),
    "assistant-not-found": ("Den Assistenten gibt es nicht.", "Wählen Sie einen anderen."),
    "assistant-not-valid": ("Der Assistent ist nicht richtig eingerichtet.", None),
    "call.in-progress.error-transfer-failed": ("Das Verbinden ist misslungen.", None),
}

FAMILIES: Mapping[Family, str] = {
    Family.FINISHED: "Das Gespräch ist beendet.",
    Family.NOT_REACHED: "Niemand war zu erreichen",
    Family.ACCOUNT: "Das Konto bei Vapi lässt den Anruf nicht zu",
    Family.SETUP: "Der Anruf ist nicht richtig eingerichtet",
    Family.CANCELLED: "Der Anruf wurde gelöscht",
    Family.TRANSFER: "Das Verbinden hat das Gespräch beendet",
    Family.HOOK: "Ein hinterlegter Ablauf hat das Gespräch beendet",
    Family.PROVIDER: "Ein Anbieter des Assistenten ist ausgefallen",
    Family.VAPI: "Bei Vapi ist etwas ausgefallen",
    Family.UNKNOWN: "Das Gespräch ist beendet",
}

ADVICE: Mapping[Family, str] = {
    Family.FINISHED: "",
    Family.NOT_REACHED: "Prüfen Sie die Nummer, und versuchen Sie es später noch einmal.",
    Family.ACCOUNT: "Prüfen Sie Tarif, Guthaben und Grenzen bei Vapi.",
    Family.SETUP: "Prüfen Sie den Assistenten und die Rufnummer bei Vapi.",
    Family.CANCELLED: "",
    Family.TRANSFER: "Prüfen Sie bei Vapi das Ziel des Verbindens.",
    Family.HOOK: "",
    Family.PROVIDER: "Versuchen Sie es noch einmal. Wenn es wieder geschieht, wählen Sie "
    "für diesen Teil des Assistenten einen anderen Anbieter.",
    Family.VAPI: "Der Fehler liegt bei Vapi. Versuchen Sie es noch einmal; wenn es wieder geschieht, nennen Sie dem "
    "Kundendienst von Vapi die Kennung des Anrufs.",
    Family.UNKNOWN: "",
}
