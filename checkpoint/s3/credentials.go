package s3

import (
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Credentials sign the requests. When AccessKey is empty they are looked for
// where Amazon's tools do: AWS_ACCESS_KEY_ID and its like, the shared credentials
// file with its profile, then the role of the pod, container or machine.
//
// They print without the secrets.
type Credentials struct {
	AccessKey    string
	SecretKey    string
	SessionToken string
}

func (c Credentials) String() string {
	if c.AccessKey == "" {
		return "credentials of the environment"
	}
	return "credentials given in the config"
}

// GoString hides the secrets from %#v.
func (c Credentials) GoString() string { return c.String() }

// MarshalText hides the secrets from JSON and logs.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Credentials) provider() (*credentials.Credentials, error) {
	switch {
	case c.AccessKey != "" && c.SecretKey != "":
		return credentials.NewStaticV4(c.AccessKey, c.SecretKey, c.SessionToken), nil
	case c.AccessKey != "" || c.SecretKey != "":
		return nil, misconfigured("s3.credentials", "only one of access key and secret key is set", "set both, or none to use those of the environment")
	}
	places := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
	if roleWithoutMachine() || os.Getenv("AWS_EC2_METADATA_DISABLED") != "true" {
		places = append(places, &credentials.IAM{Client: &http.Client{Timeout: 5 * time.Second}})
	}
	return credentials.New(&chain{places: places}), nil
}

// roleWithoutMachine reports whether a pod or container has a role of its own, so
// that the machine's is not asked for.
func roleWithoutMachine() bool {
	for _, name := range []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// errNoCredentials says that no place had any.
var errNoCredentials = errors.New("there are no credentials")

// chain asks one place after the other. Unlike minio-go's, it does not go on
// without a signature when no place has any.
type chain struct {
	places  []credentials.Provider
	current credentials.Provider // where the last ones came from; nil before
}

// RetrieveWithCredContext implements credentials.Provider.
func (c *chain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	for _, p := range c.places {
		value, err := p.RetrieveWithCredContext(cc)
		if err == nil && value.AccessKeyID != "" && value.SecretAccessKey != "" {
			c.current = p
			return value, nil
		}
	}
	return credentials.Value{}, errNoCredentials
}

// Retrieve implements credentials.Provider.
func (c *chain) Retrieve() (credentials.Value, error) { return c.RetrieveWithCredContext(nil) }

// IsExpired implements credentials.Provider.
func (c *chain) IsExpired() bool { return c.current == nil || c.current.IsExpired() }
