"""The freshness API and its page, open to everybody on this machine."""

from fastapi import FastAPI
from tidemark.web.freshness import create_app
from tidemark.web.freshness_desk import FreshnessDesk
from tidemark.web.freshness_page import pages
from tidemark.web.token_login import Everything


def app() -> FastAPI:
    """Return what the section asks."""
    served = create_app(FreshnessDesk(), Everything)
    served.include_router(pages())
    return served
