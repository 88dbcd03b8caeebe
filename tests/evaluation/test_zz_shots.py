from .test_pages import *
import os
def test_shots(runs, chromium, serving):
    from playwright.sync_api import Browser
    os.makedirs("/tmp/shots-g", exist_ok=True)
    pages = {"runs": "/evaluation", "run": f"/evaluation/{runs.before}?by=correctness", "batch": f"/evaluation/{runs.batch}",
      "compare": f"/evaluation/compare?run={runs.after}&run={runs.before}", "schedules": "/evaluation/schedules", "failed": f"/evaluation/{runs.failed}", "itstraces": "/traces?q=run%20=%20%27"+runs.before+"%27", "running": f"/evaluation/{runs.running}", "unknown": "/evaluation/nope",
      "trace": f"/traces/{runs.rows[2].trace_id}"}
    for theme in ("light", "dark"):
        for phone in (False, True):
            if theme == "dark" and phone: continue
            ctx = chromium.new_context(base_url=serving.ui, viewport={"width":390,"height":844} if phone else {"width":1440,"height":900}, color_scheme=theme)
            page = ctx.new_page()
            for name, path in pages.items():
                r = page.goto(path)
                print(name, r.status, page.evaluate("document.documentElement.scrollWidth+'/'+document.documentElement.clientWidth"))
                page.screenshot(path=f"/tmp/shots-g/{name}-{theme}{'-phone' if phone else ''}.png", full_page=name in ("compare","run") and False)
                if name in ("compare", "run"):
                    page.screenshot(path=f"/tmp/shots-g/{name}-{theme}{'-phone' if phone else ''}-full.png", full_page=True, clip={"x":0,"y":0,"width":390 if phone else 1440,"height":3000})
