"""Why a text got its label, and where on the way it was decided."""
