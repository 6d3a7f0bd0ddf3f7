"""The companies of the generated services, all invented; Odoo has one partner for each."""

from billing_console.demo.terms import Company

_ROWS = (
    ("C-1001", "Bluewater Logistics Inc.", "ON"),
    ("C-1002", "Trillium Foods Co-operative", "ON"),
    ("C-1003", "Lakeshore Print & Sign Ltd.", "ON"),
    ("C-1004", "Rideau Legal LLP", "ON"),
    ("C-1005", "Kawartha Home Care", "ON"),
    ("C-1006", "Northgate Property Management", "ON"),
    ("C-1007", "Harbourfront Veterinary Clinic", "ON"),
    ("C-1008", "Algonquin Outfitters Supply Ltd.", "ON"),
    ("C-1009", "Muskoka Cabin Rentals", "ON"),
    ("C-1010", "Sault Steelworks Training Centre", "ON"),
    ("C-1011", "Prince Edward Vineyards", "ON"),
    ("C-1012", "Grand River Robotics Inc.", "ON"),
    ("C-1013", "Fundy Shore Seafoods Ltd.", "NS"),
    ("C-1014", "Citadel Marine Services", "NS"),
    ("C-1015", "Annapolis Valley Orchards", "NS"),
    ("C-1016", "Bras d'Or Sailing School", "NS"),
    ("C-1017", "Petitcodiac Freight Inc.", "NB"),
    ("C-1018", "Acadie Assurance", "NB"),
    ("C-1019", "Miramichi Paper Recycling", "NB"),
    ("C-1020", "Foothills Energy Services", "AB"),
    ("C-1021", "Prairie Wind Engineering", "AB"),
    ("C-1022", "Bow River Outdoor Co.", "AB"),
    ("C-1023", "Boréal Architecture inc.", "QC"),
    ("C-1024", "Atelier Saint-Laurent", "QC"),
    ("C-1025", "Coopérative de Charlevoix", "QC"),
    ("C-1026", "Laiterie des Cantons", "QC"),
    ("C-1027", "Transport Gaspésie", "QC"),
    ("C-1028", "Pacific Crest Rentals", "BC"),
    ("C-1029", "Okanagan Orchard Supply", "BC"),
    ("C-1030", "Red River Grain Handlers", "MB"),
    ("C-1031", "Qu'Appelle Farm Equipment", "SK"),
    ("C-1032", "Avalon Fisheries Association", "NL"),
    ("C-1033", "Cascade Freight LLC", "", "US"),
    ("C-1034", "Lone Star Roofing Inc.", "", "US"),
    ("C-1035", "Great Basin Surveying", "", "US"),
    ("C-1036", "Hudson Valley Dairy Group", "", "US"),
    ("C-1037", "Thames Analytics Ltd", "", "GB"),
    ("C-1038", "Rheinland Logistik GmbH", "", "DE"),
    ("C-1039", "Coral Coast Tours", "", "AU"),
    ("C-1040", "Bretagne Cartographie SARL", "", "FR"),
)

COMPANIES = {row[0]: Company(*row) for row in _ROWS}


def find_company(number: int) -> Company:
    """The company C-1000 plus the number."""
    return COMPANIES[f"C-{1000 + number}"]
