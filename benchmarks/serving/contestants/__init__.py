"""The same SavedModel behind other servers, each set up as its documentation says."""
