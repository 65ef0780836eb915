// For every file of the target.
@_exported import FolderSupport
