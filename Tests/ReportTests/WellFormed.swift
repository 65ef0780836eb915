import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// Foundation's own XML parser as the judge of pages and drawings.
enum WellFormed {
    final class Reader: NSObject, XMLParserDelegate {
        var elements: [String: Int] = [:]
        var text = ""
        var attributes: [String] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
            qualifiedName: String?, attributes: [String: String]
        ) {
            elements[name, default: 0] += 1
            self.attributes += attributes.map { "\($0.key)=\($0.value)" }
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
    }

    /// What the parser saw, or `nil` if `text` is not well-formed XML.
    static func read(_ text: String) -> Reader? {
        let parser = XMLParser(data: Data(text.utf8))
        let reader = Reader()
        parser.delegate = reader
        return parser.parse() ? reader : nil
    }
}
