"""Diagnosis of a connection to a colony."""

from colony_jupyter.doctor.examination import examine as examine
from colony_jupyter.doctor.report import Finding as Finding
from colony_jupyter.doctor.report import Mark as Mark
from colony_jupyter.doctor.report import Report as Report
