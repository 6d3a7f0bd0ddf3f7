"""External ids, which only their two lookup methods show."""

from billing_console.demo.odoo_standin.external_ids import check_object_reference
from billing_console.demo.odoo_standin.fields import boolean, char, integer
from billing_console.demo.odoo_standin.model import Rules, define

EXTERNAL_ID = define(
    "ir.model.data",
    "Model Data",
    {
        "complete_name": char("Complete ID", required=True, indexed=True),
        "module": char("Module", required=True),
        "name": char("External Identifier", required=True),
        "model": char("Model Name", required=True),
        "res_id": integer("Record ID", indexed=True),
        "noupdate": boolean("Non Updatable"),
    },
    is_technical=True,
)

MODELS = (EXTERNAL_ID,)

RULES = {EXTERNAL_ID.name: Rules(methods={"check_object_reference": check_object_reference})}
