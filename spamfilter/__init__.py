"""Tell reader comments from articles, and spam from readers."""
