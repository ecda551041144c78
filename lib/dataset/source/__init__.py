"""How any file a person has becomes lines of JSON: unpacked, decoded and spread out, in bounded memory."""
