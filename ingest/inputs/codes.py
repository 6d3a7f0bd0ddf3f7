"""Fields that take a code of a published list, or an instant: countries, currencies, languages, time zones, dates."""

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import available_timezones

from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ingest.inputs.fields import TextField, refuse_value

_ISO_4217 = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP "
    "GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF "
    "KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR "
    "MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK "
    "SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU "
    "UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
# ISO 4217, list one.
CURRENCIES = frozenset(_ISO_4217.split())
# Periods have names from the year 1000 to 2999; a start far outside of any business is a slip, and would have
# thousands of them.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2900, 1, 1, tzinfo=UTC)


@cache
def countries() -> frozenset[str]:
    """The two letters of every country of ISO 3166, as the time zone database lists them."""
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8")
    return frozenset(line[:2] for line in table.splitlines() if line and not line.startswith("#"))


class CountryField(TextField):
    """A country's two letters, in capitals or not (Lago: customers)."""

    def to_internal_value(self, data: Any) -> str:
        """In capitals."""
        code: str = super().to_internal_value(data).upper()
        if code and code not in countries():
            raise refuse_value("not_a_valid_country_code")
        return code


class CurrencyField(TextField):
    """A currency of ISO 4217."""

    def to_internal_value(self, data: Any) -> str:
        """As it is."""
        code: str = super().to_internal_value(data)
        if code not in CURRENCIES:
            raise refuse_value("value_is_invalid")
        return code


class LanguageField(TextField):
    """A language that documents are written in, such as `fr` or `pt-BR`."""

    def to_internal_value(self, data: Any) -> str:
        """As it is."""
        code: str = super().to_internal_value(data)
        if code and code.lower() not in LANG_INFO:
            raise refuse_value("not_a_valid_language_code")
        return code


class TimezoneField(TextField):
    """An IANA time zone."""

    def to_internal_value(self, data: Any) -> str:
        """As it is."""
        name: str = super().to_internal_value(data)
        if name and name not in available_timezones():
            raise refuse_value("invalid_timezone")
        return name


class EmailField(TextField):
    """An e-mail address, or none."""

    def to_internal_value(self, data: Any) -> str:
        """As it is."""
        address: str = super().to_internal_value(data)
        try:
            if address:
                validate_email(address)
        except ValidationError:
            raise refuse_value("invalid_email_format") from None
        return address


@extend_schema_field({"type": "string", "examples": ["2026-11-01T00:00:00Z"]})
class InstantField(serializers.Field):
    """An instant in ISO 8601; without a zone it is UTC, and a date is its first instant."""

    def __init__(self, *, allow_empty: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.allow_empty = allow_empty

    def to_internal_value(self, data: Any) -> datetime | None:
        """In UTC; None for an empty text, where that may be."""
        if data == "" and self.allow_empty:
            return None
        try:
            moment = datetime.fromisoformat(data)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            raise refuse_value("invalid_date") from None
        if not EARLIEST <= moment < LATEST:
            raise refuse_value("invalid_date")
        return moment
