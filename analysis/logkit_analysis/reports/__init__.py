"""Reports: ordered queries and findings become one document, the document HTML or Markdown."""
