"""Django settings, all from the environment; `.env.example` lists every one of them."""

import tempfile
from pathlib import Path

import structlog
from celery.schedules import crontab

from billing_console.environment import Environment
from billing_console.navigation import UNFOLD  # noqa: F401  (a Django setting)
from billing_console.runtime import cluster, standin
from billing_console.runtime.directory import ensure_data_dir
from billing_console.secrets import read_or_create_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(BASE_DIR / ".env")

# --- where and as what this console runs -------------------------------------------------------------------

ENVIRONMENT = env.choice("ENVIRONMENT", "demo", ("demo", "production"))
IS_PRODUCTION = ENVIRONMENT == "production"
DATA_DIR = ensure_data_dir(Path(env.text("DATA_DIR", str(BASE_DIR / ".data"))).expanduser().absolute())
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, minimum=1, maximum=65535)
DEMO = env.flag("DEMO", not IS_PRODUCTION)
DEBUG = False

# --- secrets -----------------------------------------------------------------------------------------------

SECRET_KEY = env.text("SECRET_KEY")
SECRETS_KEY = env.text("SECRETS_KEY")
if IS_PRODUCTION:
    env.require("SECRET_KEY", SECRET_KEY, "Set SECRET_KEY to 50 or more random characters.")
    env.require("SECRETS_KEY", SECRETS_KEY, "Set SECRETS_KEY: it encrypts the secrets kept in the database.")
SECRET_KEY = SECRET_KEY or read_or_create_key(DATA_DIR / "secret_key")
SECRETS_KEY = SECRETS_KEY or read_or_create_key(DATA_DIR / "secrets_key")

# --- the database ------------------------------------------------------------------------------------------

DATABASE_POOL_SIZE = env.integer("DATABASE_POOL_SIZE", 0, maximum=64)
EMBEDDED = cluster.read_database_url(cluster.get_url(DATA_DIR))
DATABASES = {
    "default": env.parse(
        "DATABASE_URL",
        EMBEDDED,
        cluster.read_database_url,
        "an address such as postgres://user@host/database",
    )
}
if DATABASE_POOL_SIZE:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 15}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = not DATABASE_POOL_SIZE
DATABASES["default"]["CONN_MAX_AGE"] = 0 if DATABASE_POOL_SIZE else 60
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Django ------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "billing_console",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "import_export",
    "simple_history",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "django_structlog",
    "ingest",
    "reconciliation",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "billing_console.middleware.ApiShortcutMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "billing_console.urls"
WSGI_APPLICATION = "billing_console.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
LANGUAGE_CODE = "en-ca"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]", HOST])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if IS_PRODUCTION else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_PRODUCTION else None
X_FRAME_OPTIONS = "DENY"
APPEND_SLASH = False
# A batch of a thousand events with generous properties; a larger body is refused before it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
MEDIA_ROOT = DATA_DIR / "media"
FILE_UPLOAD_TEMP_DIR = tempfile.gettempdir()

# --- the API -----------------------------------------------------------------------------------------------

EVENTS_BATCH_MAX = env.integer("EVENTS_BATCH_MAX", 100, minimum=1, maximum=10_000)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["ingest.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["ingest.api.rendering.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "ingest.api.errors.handle_exception",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Billing Console API",
    "DESCRIPTION": "The Lago-shaped API that services post usage events to.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    # The page's scripts come with a package, not from the internet.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # A key that was typed in is forgotten with the page.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False},
}

# --- work outside requests ---------------------------------------------------------------------------------

BROKER_DIR = DATA_DIR / "broker"
CELERY_BROKER_URL = env.url(
    "CELERY_BROKER_URL",
    "filesystem://localhost",
    ("filesystem", "amqp", "amqps", "redis", "rediss", "memory"),
)
if CELERY_BROKER_URL.startswith("filesystem"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # One folder both ways: the worker reads what the web wrote.
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": str(BROKER_DIR / "control"),
        "store_processed": False,
        "polling_interval": 0.2,  # seconds; a person waits for what a button started
    }
    for _folder in ("messages", "control"):  # the transport expects them to be there
        (BROKER_DIR / _folder).mkdir(parents=True, exist_ok=True, mode=0o700)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env.integer("WORKERS", 2, minimum=1, maximum=64)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "schedule")
CELERY_BEAT_SCHEDULE = {
    # Sweeps wake what a lost message or a killed worker left behind; each is safe to run at any time. A message
    # expires when the next one is sent: while all workers are busy none pile up.
    name: {"task": f"reconciliation.tasks.{task}", "schedule": seconds, "options": {"expires": seconds}}
    for name, task, seconds in (
        ("wake-runs", "wake_runs", 10.0),
        ("send-waiting-pushes", "send_waiting_pushes", 15.0),
        ("deliver-webhooks", "deliver_webhooks", 5.0),
        ("announce-facts", "announce_facts", 10.0),
        ("check-alerts", "check_alerts", 60.0),
        ("process-stripe-events", "process_stripe_events", 15.0),
        ("activate-cutovers", "activate_cutovers", 60.0),
    )
} | {
    "announce-event-errors": {
        "task": "reconciliation.tasks.announce_event_errors",
        "schedule": crontab(minute=5),
    },
    "watch-invoicing": {"task": "reconciliation.tasks.watch_invoicing", "schedule": crontab(minute=35)},
    "poll-stripe": {"task": "reconciliation.tasks.poll_stripe", "schedule": crontab(minute=20)},
    "nightly": {"task": "reconciliation.tasks.start_nightly_runs", "schedule": crontab(hour=2, minute=30)},
}

# --- Odoo --------------------------------------------------------------------------------------------------

# Without ODOO_URL the demo talks to its own stand-in; the connector cannot tell the difference.
ODOO_URL = env.url("ODOO_URL", standin.get_url(DATA_DIR) if DEMO else "", ("http", "https"))
ODOO_DB = env.text("ODOO_DB", standin.DATABASE if DEMO else "")
ODOO_LOGIN = env.text("ODOO_LOGIN", standin.LOGIN if DEMO else "")
ODOO_API_KEY = env.text("ODOO_API_KEY", standin.API_KEY if DEMO else "")
ODOO_COMPANY_ID = env.integer("ODOO_COMPANY_ID", 1, minimum=1)
ODOO_LANGUAGE = env.text("ODOO_LANGUAGE", "en_US")
ODOO_TIMEOUT = env.integer("ODOO_TIMEOUT", 60, minimum=1, maximum=600)
ODOO_TRANSPORT = env.choice("ODOO_TRANSPORT", "auto", ("auto", "jsonrpc", "json2"))
ODOO_CA_FILE = env.text("ODOO_CA_FILE")
if not DEMO:
    for _name in ("ODOO_URL", "ODOO_DB", "ODOO_LOGIN", "ODOO_API_KEY"):
        env.require(_name, globals()[_name], f"Set {_name} as your Odoo administrator gave it to you.")

# --- Stripe ------------------------------------------------------------------------------------------------

# A restricted key that may only read is enough; docs/stripe.md says which rights.
STRIPE_API_KEY = env.text("STRIPE_API_KEY")
STRIPE_API_BASE = env.url("STRIPE_API_BASE", "https://api.stripe.com", ("http", "https"))
# The account that Odoo and the services share: a check of the connection to Odoo compares it with Odoo's own.
STRIPE_ACCOUNT = env.text("STRIPE_ACCOUNT")
STRIPE_TIMEOUT = env.integer("STRIPE_TIMEOUT", 30, minimum=1, maximum=300)
STRIPE_WEBHOOK_SECRETS = env.words("STRIPE_WEBHOOK_SECRETS", [])

# --- webhooks out ------------------------------------------------------------------------------------------

# What a token names as its issuer, as Lago's tokens name LAGO_API_URL.
API_URL = env.url("API_URL", f"http://{HOST}:{PORT}", ("http", "https"))
WEBHOOK_TIMEOUT = env.integer("WEBHOOK_TIMEOUT", 30, minimum=1, maximum=120)

# --- libraries ---------------------------------------------------------------------------------------------

AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "change"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
SIMPLE_HISTORY_REVERT_DISABLED = True
DJANGO_STRUCTLOG_CELERY_ENABLED = True

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer()
            if IS_PRODUCTION
            else structlog.processors.KeyValueRenderer(key_order=["event", "logger"]),
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django_structlog": {"level": "WARNING"},
        # It writes a line for each request, with its address.
        "stripe": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "axes": {"level": "ERROR"},
    },
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)

ENVIRONMENT_PROBLEMS = tuple(env.problems)
