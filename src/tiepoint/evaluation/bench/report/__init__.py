"""What a bench found, for people and for programs: a table, a document, pictures, a page."""

from tiepoint.evaluation.bench.machine import machine_facts, usable_cpus
from tiepoint.evaluation.bench.report.columns import Column, columns_of, figure_names, short_labels
from tiepoint.evaluation.bench.report.document import Report, report_csv, report_document
from tiepoint.evaluation.bench.report.page import report_page
from tiepoint.evaluation.bench.report.plots import Picture, report_pictures
from tiepoint.evaluation.bench.report.saving import save_report
from tiepoint.evaluation.bench.report.table import report_text
from tiepoint.evaluation.bench.report.words import failure_words

__all__ = [
    "Column",
    "Picture",
    "Report",
    "columns_of",
    "failure_words",
    "figure_names",
    "machine_facts",
    "report_csv",
    "report_document",
    "report_page",
    "report_pictures",
    "report_text",
    "save_report",
    "short_labels",
    "usable_cpus",
]
