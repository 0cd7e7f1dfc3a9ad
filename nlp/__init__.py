"""French posts in, labels out: who harasses whom by telephone, how, and how sure we are."""
