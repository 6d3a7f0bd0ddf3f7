"""What every screen of the admin is made of, in both apps."""
