from pathlib import Path
from .test_dataset_pages import *
def test_shots(visit, dataset, traces, here):
    out=Path("/tmp/shots-d"); out.mkdir(exist_ok=True)
    for name,path in {"list":"/datasets","one":dataset.url,"diff":f"{dataset.url}/diff?from=1&to=3","diff2":f"{dataset.url}/diff?from=2&to=3","new":"/datasets/new","old":f"{dataset.url}?version=1"}.items():
        for theme,phone in (("light",False),("dark",False),("light",True)):
            p=visit(path,theme=theme,phone=phone)
            p.screenshot(path=out/f"{name}-{theme}{'-phone' if phone else ''}.png",full_page=False)
            if name=="one":
                p.evaluate("window.scrollTo(0,document.body.scrollHeight)")
                p.screenshot(path=out/f"{name}-{theme}{'-phone' if phone else ''}-end.png")
    p=visit(dataset.url)
