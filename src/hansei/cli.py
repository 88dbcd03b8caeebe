"""The ``hansei`` command. Nothing heavy is imported before a command needs it."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from hansei import __version__
from hansei.collector.errors import ConfigurationError, HanseiError
from hansei.collector.settings import SETTINGS

_SCHEMA = ("hansei.collector.schema", "hansei.feedback.schema", "hansei.evaluation.schema")
"""Whose tables there are: here alone the parts that are built on the collector come together with it."""
_NEEDS_SERVER = "this command needs the server's parts: pip install 'hansei[server]'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; answers the exit code: 0 done, 2 a mistake that one line on standard error explains.

    ``hansei evaluate`` has further ones.
    """
    code = _run(arguments)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        # What could not be written is not tried again, and told, at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _run(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    _silence_libraries()
    try:
        code = options.run(options)
    except HanseiError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "hansei":
            raise
        return _fail(f"{_NEEDS_SERVER} ({error.name} is missing)")
    except BrokenPipeError:
        # The reader of standard output left, as `| head` does.
        return 0
    except KeyboardInterrupt:
        return 130
    return int(code or 0)


def _silence_libraries() -> None:
    """What they would log of a server that is away or a port that is taken comes as one line of ours."""
    import logging

    # The first one, when it is imported, gives "urllib3" a level of its own.
    for name in ("clickhouse_connect", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Read when gRPC is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def _fail(message: str) -> int:
    print(f"hansei: {message}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="hansei", description="OTLP in, ClickHouse rows out, SQL over it.")
    parser.add_argument("--version", action="version", version=f"hansei {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    serve = commands.add_parser("serve", help="run a collector", description="Run a collector.")
    serve.add_argument(
        "--config", metavar="FILE", type=Path, help="a TOML file of settings, by their names below with _ for -"
    )
    for setting in SETTINGS:
        if not setting.secret:
            default = f" (default {setting.default})" if setting.default else ""
            serve.add_argument(
                setting.flag, metavar=setting.metavar, help=f"{setting.help}{default} [{setting.variable}]"
            )
    secrets = "; ".join(f"{setting.variable}: {setting.help}" for setting in SETTINGS if setting.secret)
    serve.epilog = f"From the environment only: {secrets}."
    serve.set_defaults(run=_serve)

    query = commands.add_parser("query", help="run SQL", description="Run SQL, whether a collector is running or not.")
    query.add_argument("sql", metavar="SQL")
    query.add_argument("--format", metavar="FORMAT", help="any of ClickHouse's formats (default PrettyCompact)")
    _add_store(query)
    query.set_defaults(run=_query)

    migrate = commands.add_parser(
        "migrate", help="apply the schema to a server or a cluster", description="Apply the schema; safe to repeat."
    )
    _add_store(migrate)
    migrate.add_argument("--cluster", metavar="NAME", help="make the tables on a cluster, replicated")
    migrate.set_defaults(run=_migrate)

    prices = commands.add_parser(
        "prices", help="look up model prices again", description="Look up the prices of all models that were called."
    )
    prices.add_argument(
        "--download", action="store_true", help="from what genai-prices publishes, not what is installed"
    )
    _add_store(prices)
    prices.set_defaults(run=_prices)

    _add_evaluate(
        commands.add_parser(
            "evaluate",
            help="score stored traces or conversations, once or on a schedule",
            description="Run a batch at the hansei of HANSEI_URL (default http://127.0.0.1:8600), with HANSEI_API_KEY.",
        )
    )
    _add_datasets(
        commands.add_parser(
            "datasets",
            help="datasets of a running hansei",
            description="Datasets, at the hansei of HANSEI_URL (default http://127.0.0.1:8600), with HANSEI_API_KEY.",
        )
    )
    _add_keys(commands.add_parser("keys", help="create, list and revoke keys", description="Keys and their roles."))
    _add_labeling(
        commands.add_parser(
            "labeling",
            help="label schemas and labeling sessions of a running hansei",
            description="Labeling, at the hansei of HANSEI_URL (default http://127.0.0.1:8600), with HANSEI_API_KEY.",
        )
    )
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"hansei: {message}; see {self.prog} --help\n")


def _add_evaluate(evaluate: argparse.ArgumentParser) -> None:
    evaluate.add_argument("config", metavar="CONFIG.yaml", type=Path, help="what is scored and by whom")
    evaluate.add_argument("--since", metavar="TIME", help="score what ended from then on; the watermark stays")
    evaluate.add_argument("--until", metavar="TIME", help="and before then")
    evaluate.add_argument("--shard", metavar="I/N", help="score the I-th of N parts, beside others that score theirs")
    evaluate.add_argument("--schedule", metavar="CRON", help="keep running: cron's five fields, in UTC")
    evaluate.add_argument("--once", action="store_true", help="run once, whatever the configuration's schedule says")
    evaluate.add_argument("--dry-run", action="store_true", help="say what there is to do, and do nothing")
    evaluate.add_argument(
        "--journal", metavar="DIR", type=Path, help="where answers of models are kept until their scores are stored"
    )
    evaluate.epilog = (
        "Exit codes: 0 all done; 1 done, with failed scores; 2 a mistake in the configuration; 3 stopped by the "
        "budget; 4 another process runs it; 5 it could not go on, run it again; 143 stopped by a signal."
    )
    evaluate.set_defaults(run=_evaluate)


def _add_datasets(datasets: argparse.ArgumentParser) -> None:
    actions = datasets.add_subparsers(title="what to do", metavar="ACTION", required=True)
    actions.add_parser("list", help="list the datasets", description="The datasets.").set_defaults(run=_list_datasets)
    export = actions.add_parser("export", help="print the records of a dataset", description="The records.")
    export.add_argument("--format", metavar="FORMAT", help="jsonl, csv or parquet (default jsonl, or as the file ends)")
    export.add_argument("--version", metavar="N", type=int, help="of which version (default the latest)")
    export.add_argument("--output", metavar="FILE", type=Path, help="where to (default standard output)")
    merge = actions.add_parser("import", help="merge a file into a dataset", description="Merge a file's records.")
    merge.add_argument("--create", action="store_true", help="make the dataset where there is none")
    merge.add_argument("--note", metavar="TEXT", default="", help="what the version says of itself")
    for action, run in ((export, _export_dataset), (merge, _import_dataset)):
        action.add_argument("dataset", metavar="DATASET", help="its name or its id")
        action.set_defaults(run=run)
    merge.add_argument("file", metavar="FILE", type=Path, help="JSON lines, CSV or Parquet, as its name ends")


def _add_keys(keys: argparse.ArgumentParser) -> None:
    actions = keys.add_subparsers(title="what to do", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a key and print it once", description="Make a key.")
    create.add_argument("--name", metavar="NAME", required=True, help="whose key it is, for people")
    create.add_argument(
        "--role", metavar="ROLE", action="append", required=True, dest="roles",
        help="what it is good for: ingest, feedback, read, review or admin; may be given several times",
    )  # fmt: skip
    create.add_argument("--expires", metavar="DURATION", help="how long it lasts, for example 90d (default for ever)")
    listing = actions.add_parser("list", help="show all keys, without their secrets", description="Show all keys.")
    revoke = actions.add_parser("revoke", help="end a key", description="End a key.")
    revoke.add_argument("key_id", metavar="ID", help="its id, as `hansei keys list` shows it")
    for action, run in ((create, _create_key), (listing, _list_keys), (revoke, _revoke_key)):
        _add_store(action)
        action.set_defaults(run=run)


def _add_labeling(labeling: argparse.ArgumentParser) -> None:
    actions = labeling.add_subparsers(title="what to do", metavar="ACTION", required=True)
    for name, run in (("schemas", _list_schemas), ("sessions", _list_labeling)):
        listing = actions.add_parser(name, help=f"list the {name}", description=f"The {name}.")
        listing.add_argument("what", metavar="list", choices=["list"], help="the only thing to do with them here")
        listing.set_defaults(run=run)
    create = actions.add_parser("create-session", help="make a session", description="Make a labeling session.")
    create.add_argument("--name", metavar="NAME", required=True, help="its name")
    create.add_argument(
        "--schema", metavar="NAME", action="append", required=True, dest="schemas",
        help="a label schema that it asks; may be given several times, in their order",
    )  # fmt: skip
    create.add_argument(
        "--user", metavar="USER", action="append", default=[], dest="users",
        help="who answers, by address or name; may be given several times",
    )  # fmt: skip
    create.add_argument(
        "--arbiter", metavar="USER", action="append", default=[], dest="arbiters",
        help="who decides where answers differ; may be given several times",
    )  # fmt: skip
    create.add_argument(
        "--reviewers-per-item", metavar="N", type=int, default=1, help="how many answer each item (default 1)"
    )
    create.add_argument("--filter", metavar="FILTER", help="add the newest traces that fit (docs/search.md)")
    create.add_argument(
        "--max-results", metavar="N", type=int, default=100, help="how many of them at most (default 100)"
    )
    links = actions.add_parser(
        "links", help="make new links for reviewers and print them", description="New links; the old ones end."
    )
    links.add_argument(
        "--user", metavar="USER", action="append", dest="users", help="for whom (default everybody); several times"
    )
    close = actions.add_parser("close", help="close a session", description="Take no more answers.")
    export = actions.add_parser("export", help="print the labels of a session", description="The labels.")
    export.add_argument("--format", metavar="FORMAT", default="jsonl", help="jsonl, csv or parquet (default jsonl)")
    export.add_argument("--output", metavar="FILE", type=Path, help="where to (default standard output)")
    for action, run in ((links, _new_links), (close, _close_labeling), (export, _export_labels)):
        action.add_argument("session", metavar="SESSION", help="its name or its id")
        action.set_defaults(run=run)
    create.set_defaults(run=_create_labeling)


def _add_store(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data", metavar="DIR", type=Path, default=os.environ.get("HANSEI_DATA") or "./hansei-data",
        help="the data folder of a collector (default ./hansei-data) [HANSEI_DATA]",
    )  # fmt: skip
    command.add_argument(
        "--clickhouse", metavar="URL", default=os.environ.get("HANSEI_CLICKHOUSE") or None,
        help="a ClickHouse server: http[s]://user:password@host:port/database [HANSEI_CLICKHOUSE]",
    )  # fmt: skip


def _serve(options: argparse.Namespace) -> None:
    from hansei.collector.serve import serve
    from hansei.evaluation.web.site import routes

    flags = {setting.name: getattr(options, setting.name, None) for setting in SETTINGS}
    serve(flags, options.config, _SCHEMA, routes)


def _query(options: argparse.Namespace) -> None:
    from hansei.collector.query import query

    query(options.sql, data=Path(options.data), clickhouse=options.clickhouse, output_format=options.format)


def _migrate(options: argparse.Namespace) -> None:
    from hansei.collector.migrate_command import migrate_store

    if options.cluster and not options.clickhouse:
        raise ConfigurationError("--cluster needs --clickhouse URL: the embedded engine has no cluster")
    migrate_store(Path(options.data), options.clickhouse, options.cluster, _SCHEMA)


def _prices(options: argparse.Namespace) -> None:
    from hansei.collector.prices_command import refresh_prices

    refresh_prices(Path(options.data), options.clickhouse, download=options.download)


def _evaluate(options: argparse.Namespace) -> int:
    from hansei.evaluation.batch.command import evaluate_command

    return evaluate_command(
        options.config, since=options.since, until=options.until, shard=options.shard, schedule=options.schedule,
        once=options.once, dry_run=options.dry_run, journal=options.journal,
    )  # fmt: skip


def _list_datasets(_: argparse.Namespace) -> None:
    from hansei.evaluation.datasets.command import print_datasets

    print_datasets()


def _export_dataset(options: argparse.Namespace) -> None:
    from hansei.evaluation.datasets.command import export_dataset

    export_dataset(options.dataset, options.format, options.version, options.output)


def _import_dataset(options: argparse.Namespace) -> None:
    from hansei.evaluation.datasets.command import import_dataset

    import_dataset(options.dataset, options.file, options.note, create=options.create)


def _create_key(options: argparse.Namespace) -> None:
    from hansei.collector.keys_command import create_key

    create_key(
        Path(options.data), options.clickhouse, name=options.name, roles=options.roles, expires=options.expires,
        now=time.time(),
    )  # fmt: skip


def _list_keys(options: argparse.Namespace) -> None:
    from hansei.collector.keys_command import list_keys

    list_keys(Path(options.data), options.clickhouse, now=time.time())


def _revoke_key(options: argparse.Namespace) -> None:
    from hansei.collector.keys_command import revoke_key

    revoke_key(Path(options.data), options.clickhouse, key_id=options.key_id, now=time.time())


def _list_schemas(options: argparse.Namespace) -> None:
    from hansei.feedback.labeling.command import print_schemas

    print_schemas()


def _list_labeling(options: argparse.Namespace) -> None:
    from hansei.feedback.labeling.command import print_sessions

    print_sessions()


def _create_labeling(options: argparse.Namespace) -> None:
    from hansei.feedback.labeling.command import create_session

    create_session(
        options.name, options.schemas, options.users, options.arbiters,
        reviewers_per_item=options.reviewers_per_item, filter_string=options.filter, max_results=options.max_results,
    )  # fmt: skip


def _new_links(options: argparse.Namespace) -> None:
    from hansei.feedback.labeling.command import print_new_links

    print_new_links(options.session, options.users)


def _close_labeling(options: argparse.Namespace) -> None:
    from hansei.feedback.labeling.command import close_session

    close_session(options.session)


def _export_labels(options: argparse.Namespace) -> None:
    from hansei.feedback.labeling.command import export_labels

    export_labels(options.session, options.format, options.output)


if __name__ == "__main__":
    sys.exit(main())
