"""The WSGI entry point that granian serves."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_console.settings")
# Web threads share a pool; commands and workers keep one plain connection each.
os.environ.setdefault("DATABASE_POOL_SIZE", "8")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
