"""
The pages, in the order of the navigation.

A page is a module with TITLE, ADDRESS and `router`, and a template of its own; one that takes more than a form's worth
names its addresses in BODY_LIMITS (bytes).
"""

from kneewatch.web.pages import alerts, plan, today

PAGES = (today, alerts, plan)
