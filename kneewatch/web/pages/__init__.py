"""
The pages, in the order of the navigation.

A page is a module with TITLE, ADDRESS and `router`, and a template of its own; one that takes files names the addresses in
BODY_LIMITS (bytes), and its route reads `request.state.parts`.
"""

from kneewatch.web.pages import alerts, coach, inbox, knee, plan, runs, settings, today, weeks

PAGES = (today, weeks, runs, knee, plan, alerts, inbox, coach, settings)
